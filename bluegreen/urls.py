"""Every address of the site but those of its health, which are answered before."""

from django.urls import URLPattern, URLResolver, include, path

from releases.views.own_password import OwnPassword
from releases.views.sign_in import SetPassword, SignIn, SignOut

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", SignOut.as_view(), name="logout"),
    path("password/", OwnPassword.as_view(), name="own-password"),
    path("password/<uidb64>/<token>/", SetPassword.as_view(), name="password-set"),
    path("api/v1/", include("releases.api.urls")),
    path("", include("releases.urls")),
]

handler400 = "bluegreen.error_pages.bad_request"
handler403 = "bluegreen.error_pages.permission_denied"
handler404 = "bluegreen.error_pages.page_not_found"
handler500 = "bluegreen.error_pages.server_error"
