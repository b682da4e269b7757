"""Reads the files of a deployment, so that checks ask what they do, not how they look.

- `nginx_site`: which place of a site answers a request, and with which directives.
- `docker_image`: what an image of a Dockerfile is in the end, with all that it inherits.

Both start no program, and work within `bounds`. Each knows what the labs ask about, and no more.
"""
