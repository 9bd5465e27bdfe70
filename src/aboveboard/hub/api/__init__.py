"""The hub over HTTP: `/api/v1`, described by OpenAPI at `/api/v1/openapi.json`."""

from aboveboard.hub.api.application import create_application

__all__ = ["create_application"]
