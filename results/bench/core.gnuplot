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
 1000 0.1731 0.1731 0.1731
 2000 0.4765 0.4765 0.4765
 5000 2.38 2.38 2.38
 10000 10.13 10.13 10.13
END
$s0_1 << END
 1000 0.1301 0.1301 0.1301
 2000 0.3593 0.3593 0.3593
 5000 1.927 1.927 1.927
 10000 8.841 8.841 8.841
END
$s0_2 << END
 1000 0.06548 0.06548 0.06548
 2000 0.236 0.236 0.236
 5000 1.333 1.333 1.333
 10000 5.133 5.133 5.133
END
$s0_3 << END
 1000 0.04736 0.04736 0.04736
 2000 0.1812 0.1812 0.1812
 5000 1.132 1.132 1.132
 10000 4.477 4.477 4.477
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
 1000 0.1173 0.1173 0.1173
 2000 0.3219 0.3219 0.3219
 5000 1.623 1.623 1.623
 10000 9.068 9.068 9.068
END
$s1_1 << END
 1000 0.07321 0.07321 0.07321
 2000 0.183 0.183 0.183
 5000 0.9697 0.9697 0.9697
 10000 4.792 4.792 4.792
END
$s1_2 << END
 1000 0.04701 0.04701 0.04701
 2000 0.1529 0.1529 0.1529
 5000 0.7592 0.7592 0.7592
 10000 3.087 3.087 3.087
END
$s1_3 << END
 1000 0.02687 0.02687 0.02687
 2000 0.1006 0.1006 0.1006
 5000 0.57 0.57 0.57
 10000 2.398 2.398 2.398
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
 1 0.1731 0.1731 0.1731
 2 0.1173 0.1173 0.1173
END
$s2_1 << END
 1 0.1731 0.1731 0.1731
 2 0.08655 0.08655 0.08655
END
$s2_2 << END
 1 10.13 10.13 10.13
 2 9.068 9.068 9.068
END
$s2_3 << END
 1 10.13 10.13 10.13
 2 5.065 5.065 5.065
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
