"""Every kind of registered analysis in words: what it computes, with which errors and tests."""
