// Loads the parser of command lines and does nothing: its CPU is what any command that has one needs.
import "commander";
