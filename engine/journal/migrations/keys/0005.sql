-- The patient into whom this one was merged (MRG), who then says where both are registered.
alter table practice add column survivor blob;
