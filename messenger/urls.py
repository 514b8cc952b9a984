"""Every path of the server. (/healthz and /readyz are messenger.health's, /static/ is WhiteNoise's.)"""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from messenger import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index),
    path("robots.txt", views.robots),
    path("api/", include("accounts.urls")),
]

if settings.ADMIN_ENABLED:
    urlpatterns.append(path("admin/", admin.site.urls))
