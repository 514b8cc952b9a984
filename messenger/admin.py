"""The admin site, plain, under Quarter's name."""

from django.contrib.admin import AdminSite


class QuarterAdminSite(AdminSite):
    site_header = "Quarter"
    site_title = "Quarter"
    index_title = "What the server holds"
    site_url = None
