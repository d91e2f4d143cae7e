CREATE TABLE maps (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  year INTEGER,
  scale INTEGER
);
SELECT title FROM maps WHERE year < 1900 UNION SELECT title FROM atlases;
