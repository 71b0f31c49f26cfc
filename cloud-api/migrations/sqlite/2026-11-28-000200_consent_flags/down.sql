-- Nothing: the flags were wrong before.
SELECT 1;
