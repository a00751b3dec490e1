"""The conversation as a LangGraph state machine. `build.py` shows every node and edge on one screen."""
