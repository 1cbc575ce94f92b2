"""Three estimates side by side: the judge's, people's, and the judge's corrected by people."""
