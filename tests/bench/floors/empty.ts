// Does nothing: its CPU is what the runtime needs for any program.
