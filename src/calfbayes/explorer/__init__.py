"""The explorer of notebooks: tick answers, and the diagnosis follows. Needs the extra `notebook`."""
