"""What the tests share: studies, servers, browsers, crowds of raters."""
