"""What stands on the wire: errors, tags, links, the OpenAPI document."""
