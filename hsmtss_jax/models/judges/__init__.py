"""Networks that tag sounds and judge what separators made. Never a teacher, or they are no judges."""
