"""What routes and pages share: the edge of the app, sessions, forgery protection, errors, templates, images."""
