-- A double-entry transfer as a client writes it. The lower account first: so nobody waits in a ring.
\set payer random(1, :accounts)
\set step random(1, :accounts - 1)
\set payee 1 + (:payer - 1 + :step) % :accounts
\set amount random(1, 100)
\set low least(:payer, :payee)
\set high greatest(:payer, :payee)
\set change CASE WHEN :payer = :low THEN -:amount ELSE :amount END
BEGIN;
UPDATE account SET balance = balance + :change WHERE id = :low;
UPDATE account SET balance = balance - :change WHERE id = :high;
INSERT INTO transfer (payer, payee, amount) VALUES (:payer, :payee, :amount);
COMMIT;
