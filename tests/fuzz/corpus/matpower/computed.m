mpc.bus(:,3) = mpc.bus(:,3) * 2;
