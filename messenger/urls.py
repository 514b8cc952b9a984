"""Every path of the server."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("api/", include("accounts.urls"))]

if settings.ADMIN_ENABLED:
    urlpatterns.append(path("admin/", admin.site.urls))
