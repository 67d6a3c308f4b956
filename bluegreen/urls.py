"""Every address of the site but those of its health, which are answered before."""

from django.urls import URLPattern, URLResolver, include, path

from releases.views.sign_in import SignIn, SignOut

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", SignOut.as_view(), name="logout"),
    path("api/v1/", include("releases.api.urls")),
    path("", include("releases.urls")),
]
