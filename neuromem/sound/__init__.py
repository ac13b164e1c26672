"""Memory in sound: archives that play, and a modem that carries them through the air."""
