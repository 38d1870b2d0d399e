"""A tree of materials -> a tree of .igs files and an index of them, of which only what has changed is made anew.

:mod:`.discover` finds the materials, :mod:`.project_file` and :mod:`.rules` say how each is compressed, :mod:`.keys`
what decides its bytes; :mod:`.engine` compares that with :mod:`.state` and :mod:`.cache`, and has the rest made by a
:class:`~.runner.Runner`: processes here (:mod:`.local_pool`) or Dask's workers (:mod:`.farm`). Nothing but the engine
writes into the output folder, and nothing here loads torch before a material is to be made.
"""
