-- Run once, when the server's volume is empty: each program has a database of its own.
CREATE DATABASE hitchpost_partner OWNER hitchpost;
