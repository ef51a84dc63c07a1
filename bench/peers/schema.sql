-- Accounts with a balance that can't go below zero, and the two entries of each transfer in one row.
CREATE TABLE account (
    id integer PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 70); -- a changed row finds room on its page, and no index changes

INSERT INTO account SELECT id, 100000000 FROM generate_series(1, :accounts) AS id;

CREATE TABLE transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payer integer NOT NULL,
    payee integer NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    time timestamptz NOT NULL DEFAULT now()
);

-- The same as five_statements.sql, in one call. The lower account first: so nobody waits in a ring.
CREATE FUNCTION pay(payer integer, payee integer, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF payer < payee THEN
        UPDATE account SET balance = balance - amount WHERE id = payer;
        UPDATE account SET balance = balance + amount WHERE id = payee;
    ELSE
        UPDATE account SET balance = balance + amount WHERE id = payee;
        UPDATE account SET balance = balance - amount WHERE id = payer;
    END IF;
    INSERT INTO transfer (payer, payee, amount) VALUES (payer, payee, amount);
END $$;
