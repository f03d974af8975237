-- The database of inventory and the account that owns it, and nothing else. Run once, on the empty volume.
\set password `cat /etc/postgres/secret/inventory-password`
CREATE ROLE inventory LOGIN PASSWORD :'password';
CREATE DATABASE inventory OWNER inventory;
REVOKE ALL ON DATABASE inventory, postgres, template1 FROM PUBLIC;
