"""The promises under faults: real processes, people who talk, faults, and what both sides have afterwards."""
