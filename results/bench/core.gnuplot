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
 1000 0.1979 0.1979 0.1979
 2000 0.5666 0.5666 0.5666
 5000 3.04 3.04 3.04
 10000 13.46 13.46 13.46
END
$s0_1 << END
 1000 0.1741 0.1741 0.1741
 2000 0.5163 0.5163 0.5163
 5000 2.849 2.849 2.849
 10000 12.43 12.43 12.43
END
$s0_2 << END
 1000 0.0763 0.0763 0.0763
 2000 0.2908 0.2908 0.2908
 5000 1.751 1.751 1.751
 10000 6.933 6.933 6.933
END
$s0_3 << END
 1000 0.07273 0.07273 0.07273
 2000 0.2822 0.2822 0.2822
 5000 1.711 1.711 1.711
 10000 6.59 6.59 6.59
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
 1000 0.1194 0.1194 0.1194
 2000 0.3295 0.3295 0.3295
 5000 1.647 1.647 1.647
 10000 7.292 7.292 7.292
END
$s1_1 << END
 1000 0.09561 0.09561 0.09561
 2000 0.2721 0.2721 0.2721
 5000 1.434 1.434 1.434
 10000 6.515 6.515 6.515
END
$s1_2 << END
 1000 0.05126 0.05126 0.05126
 2000 0.1777 0.1777 0.1777
 5000 0.9419 0.9419 0.9419
 10000 3.626 3.626 3.626
END
$s1_3 << END
 1000 0.03853 0.03853 0.03853
 2000 0.1435 0.1435 0.1435
 5000 0.8553 0.8553 0.8553
 10000 3.393 3.393 3.393
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
 1 0.1979 0.1979 0.1979
 2 0.1194 0.1194 0.1194
END
$s2_1 << END
 1 0.1979 0.1979 0.1979
 2 0.09895 0.09895 0.09895
END
$s2_2 << END
 1 13.46 13.46 13.46
 2 7.292 7.292 7.292
END
$s2_3 << END
 1 13.46 13.46 13.46
 2 6.73 6.73 6.73
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
