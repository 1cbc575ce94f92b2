"""The record of every request to a model server, so that each judgment is paid for once."""
