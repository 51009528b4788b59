"""Sign-ins in the browser: sign-in link, authorization request, callback and last page."""
