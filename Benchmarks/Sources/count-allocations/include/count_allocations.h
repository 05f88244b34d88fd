// Counts allocations of a program that it is loaded into with LD_PRELOAD: malloc, calloc, realloc and the aligned ones.
// When the program ends, the number is written to the file that the environment variable ALLOCATIONS_FILE names.
#ifndef COUNT_ALLOCATIONS_H
#define COUNT_ALLOCATIONS_H

#endif
