"""Helpers that several tests share: studies, servers, browsers and crowds of raters."""
