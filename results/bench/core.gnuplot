# core.gnuplot: gnuplot core.gnuplot draws core.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,7.20in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'core.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 3,1 title 'Time of a step, tanh, n = 1117185' noenhanced
$s0_0 << END
 1000 0.2444 0.2444 0.2444
 2000 0.6742 0.6742 0.6742
 5000 3.576 3.576 3.576
 10000 15.98 15.98 15.98
END
$s0_1 << END
 1000 0.2113 0.2113 0.2113
 2000 0.5918 0.5918 0.5918
 5000 3.173 3.173 3.173
 10000 14.37 14.37 14.37
END
$s0_2 << END
 1000 0.08548 0.08548 0.08548
 2000 0.3305 0.3305 0.3305
 5000 2.024 2.024 2.024
 10000 8.088 8.088 8.088
END
$s0_3 << END
 1000 0.08291 0.08291 0.08291
 2000 0.3129 0.3129 0.3129
 5000 1.88 1.88 1.88
 10000 7.426 7.426 7.426
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'residuals m' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '1 rank' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'one step' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'its flops at the rate of dgemm' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'K alone' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'its flops at the rate of dsyrk' noenhanced
$s1_0 << END
 1000 0.1414 0.1414 0.1414
 2000 0.3989 0.3989 0.3989
 5000 1.984 1.984 1.984
 10000 8.761 8.761 8.761
END
$s1_1 << END
 1000 0.1069 0.1069 0.1069
 2000 0.3055 0.3055 0.3055
 5000 1.61 1.61 1.61
 10000 7.284 7.284 7.284
END
$s1_2 << END
 1000 0.05118 0.05118 0.05118
 2000 0.1797 0.1797 0.1797
 5000 1.118 1.118 1.118
 10000 4.296 4.296 4.296
END
$s1_3 << END
 1000 0.04258 0.04258 0.04258
 2000 0.1571 0.1571 0.1571
 5000 0.9612 0.9612 0.9612
 10000 3.77 3.77 3.77
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'residuals m' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '2 ranks' noenhanced
plot $s1_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'one step' noenhanced, \
  $s1_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'its flops at the rate of dgemm' noenhanced, \
  $s1_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'K alone' noenhanced, \
  $s1_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'its flops at the rate of dsyrk' noenhanced
$s2_0 << END
 1 0.2444 0.2444 0.2444
 2 0.1414 0.1414 0.1414
END
$s2_1 << END
 1 0.2444 0.2444 0.2444
 2 0.1222 0.1222 0.1222
END
$s2_2 << END
 1 15.98 15.98 15.98
 2 8.761 8.761 8.761
END
$s2_3 << END
 1 15.98 15.98 15.98
 2 7.99 7.99 7.99
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'ranks' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s2_0 using 1:2 with points lc rgb '#009e73' pt 6 ps 0.35 title 'one step, least m' noenhanced, \
  $s2_1 using 1:2 with lines lc rgb '#009e73' dt 2 lw 1.5 title 'ideal' noenhanced, \
  $s2_2 using 1:2 with points lc rgb '#e69f00' pt 7 ps 0.35 title 'one step, largest m' noenhanced, \
  $s2_3 using 1:2 with lines lc rgb '#e69f00' dt 2 lw 1.5 title 'ideal' noenhanced
unset multiplot
