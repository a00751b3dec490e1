"""Follow up with dental patients whose diagnosed treatment was never scheduled."""
