-- A repeat has the same control id as the message it repeats, and is found by it.
drop table by_fingerprint;
