"""Reading patients' messages: word lists, parsers and a small trained classifier, all local."""
