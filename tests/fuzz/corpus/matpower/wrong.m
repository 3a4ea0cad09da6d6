mpc.baseMVA = 100;
mpc.bus = [1 1 0 0 0 0 1 1 0 1 1 1 1];
mpc.gen = [7 0 0 0 0 1 1 1 9 0];
mpc.gencost = [2 0 0 4 1 2 3 4];
mpc.branch = [1 1 0 0 0 0 0 0 0 0 1];
