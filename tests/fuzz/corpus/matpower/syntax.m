%{
block
%}
mpc.baseMVA=50,mpc.version=2;
mpc.bus = [1, 3, 0 ... and on
  0 0 0 1 1 0 1 1 1 1
2 2 5.5e0 0 .5 0 1 1 0 1 1 1 1 # two
3 4 9 0 0 0 1 1 0 1 1 1 1];
mpc.gen = [2 +1 0 Inf -Inf 1 1 1 9 -2; 1 0 0 0 0 1 1 0 1 0];
mpc.gencost = [1 0 0 3 0 0 4 10 9 40; 2 0 0 1 3 0 0 0 0 0];
mpc.branch = [1 2 .01 -.1 0 0 0 0 .98 -3 1; 2 3 0 .1 0 0 0 0 0 0 1];
mpc.dcline = [1 2 1 1 0 0 0 1 1 -5 5 0 0 0 0 .1 .01];
mpc.bus_name = {'a''b'; "c"; 'd'};
mpc.genfuel = { 'wind'; 'coal' };
end
