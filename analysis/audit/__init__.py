"""How reliable a judge is, from tables of ratings that already exist."""
