"""Judges submissions from outside: tests here, the submission's code in a sandboxed child.

The judge runs in a trusted worker. It tells the child which cell to run, serves what the cells
have made so far whenever a check comes, and takes its verdict from bytes on a connection.
"""
