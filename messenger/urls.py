"""Every path of the server. (/healthz and /readyz are messenger.health's, /static/ is WhiteNoise's.)"""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from messenger import views

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.server_error

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index),
    path("favicon.ico", views.no_icon),
    path("robots.txt", views.robots),
    path(".well-known/security.txt", views.security),
    path("api/", include("accounts.urls")),
]

if settings.ADMIN_ENABLED:
    urlpatterns.append(path(settings.ADMIN_PATH, admin.site.urls))
