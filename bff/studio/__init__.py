"""The Studio without its pages: access, the names of entries, the previews."""
