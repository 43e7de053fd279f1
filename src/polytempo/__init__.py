"""polytempo: each person in a clip on a clock of their own."""
