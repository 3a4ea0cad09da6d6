mpc.version = { "two"; 2 };
mpc.baseMVA = 50/3;
[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD] = idx_bus;
mpc.bus = [1 3 9 0 0 0 1 1 0 1 1 1 1];
mpc.bus(:, PD) = mpc.bus(1:end, PD) / 1e3;
mpc.gen = zeros(0, 21);
mpc.branch = [1 1 0 0 0 0 0 0 0 0 1];
if 1, x(2, 3) = -2 .^ -[1 2]; end
