"""The site: lessons as they ran, labs as they are set, the guides; `make site` builds it."""
