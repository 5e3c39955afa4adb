# core-avx512.gnuplot: gnuplot core-avx512.gnuplot draws core-avx512.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,7.20in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'core-avx512.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 3,1 title 'Time of a step, tanh, n = 1117185' noenhanced
$s0_0 << END
 1000 0.125 0.125 0.125
 2000 0.3587 0.3587 0.3587
 5000 1.89 1.89 1.89
 10000 8.287 8.287 8.287
END
$s0_1 << END
 1000 0.1038 0.1038 0.1038
 2000 0.3025 0.3025 0.3025
 5000 1.647 1.647 1.647
 10000 7.877 7.877 7.877
END
$s0_2 << END
 1000 0.04504 0.04504 0.04504
 2000 0.1776 0.1776 0.1776
 5000 1.063 1.063 1.063
 10000 4.164 4.164 4.164
END
$s0_3 << END
 1000 0.04161 0.04161 0.04161
 2000 0.1614 0.1614 0.1614
 5000 0.989 0.989 0.989
 10000 3.998 3.998 3.998
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
 1000 0.08295 0.08295 0.08295
 2000 0.221 0.221 0.221
 5000 1.124 1.124 1.124
 10000 4.643 4.643 4.643
END
$s1_1 << END
 1000 0.05815 0.05815 0.05815
 2000 0.1625 0.1625 0.1625
 5000 0.8619 0.8619 0.8619
 10000 3.956 3.956 3.956
END
$s1_2 << END
 1000 0.03487 0.03487 0.03487
 2000 0.1244 0.1244 0.1244
 5000 0.6304 0.6304 0.6304
 10000 2.328 2.328 2.328
END
$s1_3 << END
 1000 0.02155 0.02155 0.02155
 2000 0.08338 0.08338 0.08338
 5000 0.5003 0.5003 0.5003
 10000 2.039 2.039 2.039
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
 1 0.125 0.125 0.125
 2 0.08295 0.08295 0.08295
END
$s2_1 << END
 1 0.125 0.125 0.125
 2 0.0625 0.0625 0.0625
END
$s2_2 << END
 1 8.287 8.287 8.287
 2 4.643 4.643 4.643
END
$s2_3 << END
 1 8.287 8.287 8.287
 2 4.1435 4.1435 4.1435
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
