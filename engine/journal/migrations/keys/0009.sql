-- Where the row came from: null an ADT message, 1 a list of patients, 2 PDS.
alter table practice rename column listed to source;
