"""Web, process and file defences that every other package stands on; imports nothing of ours."""
