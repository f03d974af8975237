-- Prices are exact decimals. A row's stamp is the version of the event that wrote it, ordered by code points.
CREATE TABLE widgets (
    id          text PRIMARY KEY,
    description text NOT NULL,
    price       numeric NOT NULL CHECK (price >= 0),
    stamp       text COLLATE "C" NOT NULL
);
