"""Paths below /api/."""

from accounts import api, views

urlpatterns = api.url_patterns(views.OPERATIONS)
