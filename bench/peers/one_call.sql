-- The same transfer as one call of a function, in a transaction of its own.
\set payer random(1, :accounts)
\set step random(1, :accounts - 1)
\set payee 1 + (:payer - 1 + :step) % :accounts
\set amount random(1, 100)
SELECT pay(:payer, :payee, :amount);
