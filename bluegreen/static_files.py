"""Static files under ASGI."""

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    """WhiteNoise's answer is a synchronous stream, which Django reads whole under ASGI and warns of each time."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """The file, read at once: each is small."""
        streamed = WhiteNoiseMiddleware.serve(static_file, request)
        try:
            response = HttpResponse(streamed.getvalue(), status=streamed.status_code)
        finally:
            streamed.close()
        del response["Content-Type"]
        for name, value in streamed.items():
            response[name] = value
        return response
