"""What a judge does that has nothing to do with the text it judges."""
