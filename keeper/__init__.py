"""The process that owns tor, the log key and the alarms; the web processes reach it through two tiny sockets."""
