"""The whole journey, played by a program through the real parts, so that anybody can see it hold."""
