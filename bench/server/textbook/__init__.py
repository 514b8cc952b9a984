"""A chat on Channels as its tutorial has it: groups in the Redis core layer, JSON, and the ORM for storing.

In its favour: the connection to the database stays open (Django's default opens one for each message), and
the layer's capacity is raised (by default it drops what is above 100).
"""
