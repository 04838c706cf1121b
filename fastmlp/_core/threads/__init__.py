"""What OpenMP grants, forks, Ctrl-C, and whether threads pay."""
